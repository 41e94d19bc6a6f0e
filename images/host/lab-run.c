/* The engine's runtime here: crun, but for two things that take long here and need not.
 *
 * Docker Engine 26 gives every container a hook that tells the engine which network namespace is the container's. The
 * hook is the engine's own program, started once more: half of the time that a container takes to start here, since a
 * program of 90 MB has to be loaded to write one line into a socket. This program writes that line itself.
 *
 * Called as a runtime (`create --bundle FOLDER …`), it names itself as that hook and becomes crun. Called as the hook
 * (`libnetwork-setkey -exec-root=FOLDER CONTAINER CONTROLLER`, the container's state on its input), it does what
 * libnetwork/sandbox_externalkey_unix.go of Moby 26.1 does. A hook of any other form is left as it is.
 *
 * Asked for its version, as the engine does whenever somebody asks for `docker info`, it says what crun said when the disk
 * was made: to start crun for it took half of the time until the engine's answer.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CRUN "/usr/bin/crun"
#define VERSION "/usr/share/lab-run/crun-version"
#define SELF "\"/sbin/lab-run\"" /* not longer than what it replaces: "/proc/100/exe" */
#define HOOK "\"prestart\":[{\"path\":" /* as the engine writes it; a word of a container's own has no bare quotes */
#define ENGINE "\"/proc/"

enum { LARGEST = 1 << 20 };

static char text[LARGEST];

/* The whole of a file, as a string; 0 when it does not fit or cannot be read. */
static size_t read_all(int file)
{
    size_t length = 0;
    ssize_t got;

    while ((got = read(file, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = 0;
    return got == 0 && length < sizeof text - 1 ? length : 0;
}

static void name_ourselves(const char *bundle)
{
    char path[4096], *hook, *end;
    int file;

    snprintf(path, sizeof path, "%s/config.json", bundle);
    if ((file = open(path, O_RDWR | O_CLOEXEC)) < 0)
        return;
    if (read_all(file) && (hook = strstr(text, HOOK ENGINE)) && strstr(hook, "[\"libnetwork-setkey\",")) {
        hook += sizeof HOOK - 1;
        for (end = hook + sizeof ENGINE - 1; isdigit((unsigned char)*end);)
            end++;
        if (strncmp(end, "/exe\"", 5) == 0 && end + 5 - hook >= (ptrdiff_t)sizeof SELF - 1) {
            memset(hook, ' ', (size_t)(end + 5 - hook)); /* JSON does not mind, and the file keeps its length */
            memcpy(hook, SELF, sizeof SELF - 1);
            if (pwrite(file, hook, (size_t)(end + 5 - hook), hook - text) < 0)
                perror(path);
        }
    }
    close(file);
}

static int fail(const char *what)
{
    fprintf(stderr, "libnetwork-setkey: %s\n", what);
    return 1;
}

static int set_key(const char *folder, const char *container, const char *controller)
{
    struct sockaddr_un engine = {.sun_family = AF_UNIX};
    const char *pid;
    char line[512], answer[512];
    ssize_t got;
    int length, to;

    if (!read_all(STDIN_FILENO) || !(pid = strstr(text, "\"pid\"")) || !(pid = strpbrk(pid + 5, "0123456789")))
        return fail("the container's state does not say its process");
    snprintf(engine.sun_path, sizeof engine.sun_path, "%s/libnetwork/%s.sock", folder, controller);
    length = snprintf(line, sizeof line, "{\"ContainerID\":\"%s\",\"Key\":\"/proc/%d/ns/net\"}", container, atoi(pid));
    if ((to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0
        || connect(to, (struct sockaddr *)&engine, sizeof engine) < 0 || write(to, line, (size_t)length) != length
        || (got = read(to, answer, sizeof answer - 1)) < 0)
        return fail("the engine's socket does not answer");
    answer[got] = 0;
    return strncmp(answer, "success", 7) == 0 ? 0 : fail(answer);
}

static int tell_version(void)
{
    int file = open(VERSION, O_RDONLY | O_CLOEXEC);
    size_t length = file < 0 ? 0 : read_all(file);

    return length && write(STDOUT_FILENO, text, length) == (ssize_t)length;
}

int main(int count, char **words)
{
    static const char option[] = "-exec-root=";

    if (strcmp(words[0], "libnetwork-setkey") == 0) {
        if (count != 4 || strncmp(words[1], option, sizeof option - 1) != 0)
            return fail("called otherwise than Docker Engine 26 does");
        return set_key(words[1] + sizeof option - 1, words[2], words[3]);
    }
    if (count == 2 && strcmp(words[1], "--version") == 0 && tell_version())
        return 0;
    for (int i = 1; i + 1 < count; i++)
        if (strcmp(words[i], "--bundle") == 0)
            name_ourselves(words[i + 1]);
    words[0] = CRUN;
    execv(CRUN, words);
    perror(CRUN);
    return 127;
}
