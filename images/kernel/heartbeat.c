/* What keeps the clock of a practice host's kernel going; it is loaded before the C library (overlaykit/lab/kernels.py).
 *
 * The kernel sets one timer at a time, for whatever is due next, and sets it anew when SIGALRM has come. A signal that
 * comes while its handler is still at work is dropped (arch/um/os-Linux/signal.c, "Do not reenter the handler"): then no
 * timer is set any more, nothing that waits for a time is woken, and the host, which still answers a ping, spins in its
 * idle loop. Seen once in some hours of lessons.
 *
 * That loop asks how long the timer has to go before it sleeps, and does not sleep where none is set. So here one is set,
 * and the kernel finds what has been due since. A host that has lost its clock while a program computes without a pause
 * gets it back when that program does pause.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

enum { SOON = 1000000 }; /* nanoseconds */

int timer_gettime(timer_t timer, struct itimerspec *left)
{
    static int (*really)(timer_t, struct itimerspec *);
    const struct itimerspec next = {.it_value.tv_nsec = SOON};
    int failed;

    if (!really)
        really = dlsym(RTLD_NEXT, "timer_gettime");
    failed = really(timer, left);
    /* It is told all the same that none is set: the signal may have come this moment, and work be waiting for it. */
    if (!failed && !left->it_value.tv_sec && !left->it_value.tv_nsec)
        failed = timer_settime(timer, 0, &next, 0);
    return failed;
}
