/* What the programs of the wire lack; `collect` has them load it before the C library.
 *
 * A unix socket holds ten frames (net.unix.max_dgram_qlen) where nobody has raised that. The switch gave up a frame for
 * which there was no room at once, and the router does not send again what got lost: of 600 requests to a host, twelve
 * at a time, one was never answered and eight waited 1 to 6 s. And it listens with room for one guest, so that of a
 * browser's six connections some waited a second for the second try.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

/* A host that only waits for its turn, on a machine that is busy, takes a frame long before: 50 were not enough. */
enum { MILLISECONDS = 1000, GUESTS = 128, SOCKETS = 1024 };

static bool is_wire(int socket)
{
    int family = 0;
    socklen_t size = sizeof family;

    return getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_UNIX;
}

ssize_t send(int socket, const void *frame, size_t size, int flags)
{
    static bool hangs[SOCKETS]; /* a host that was waited for in vain is not waited for again until it takes a frame */
    ssize_t (*really)(int, const void *, size_t, int) = dlsym(RTLD_NEXT, "send");
    ssize_t sent = really(socket, frame, size, flags);

    if (socket >= SOCKETS)
        return sent;
    if (sent < 0 && errno == EAGAIN && !hangs[socket] && is_wire(socket)) {
        struct pollfd room = {socket, POLLOUT, 0};

        poll(&room, 1, MILLISECONDS);
        sent = really(socket, frame, size, flags);
        hangs[socket] = sent < 0;
    } else if (sent >= 0) {
        hangs[socket] = false;
    }
    return sent;
}

int listen(int socket, int guests)
{
    int (*really)(int, int) = dlsym(RTLD_NEXT, "listen");

    return really(socket, guests < GUESTS ? GUESTS : guests);
}
