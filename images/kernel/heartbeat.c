/* What a practice host's kernel lacks; overlaykit/lab/kernels.py has it load this before the C library (LD_PRELOAD: its
 * program stands no change of what it names as needed).
 *
 * It sets one timer at a time, for whatever is due next, and sets it anew when SIGALRM has come. A signal that comes while
 * its handler is still at work is dropped (arch/um/os-Linux/signal.c, "Do not reenter the handler"): then no timer is set
 * any more, nothing that waits for a time is ever woken, and the host, which still answers a ping, spins in its idle loop.
 * Seen once in some hours of lessons. That loop asks how long the timer has to go before it sleeps: when it is told that
 * none is set, it does not sleep. So here one is set, for at once, and the kernel finds what has been due since.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

enum { NANOSECONDS = 1000000 };

int timer_gettime(timer_t timer, struct itimerspec *left)
{
    static int (*really)(timer_t, struct itimerspec *);
    int failed;

    if (!really)
        really = dlsym(RTLD_NEXT, "timer_gettime");
    failed = really(timer, left);
    if (!failed && !left->it_value.tv_sec && !left->it_value.tv_nsec) {
        left->it_value.tv_nsec = NANOSECONDS;
        failed = timer_settime(timer, 0, left, 0);
    }
    return failed;
}
