/* The wall clock of a process, FASTCLOCK_RATE times as fast since the second FASTCLOCK_ORIGIN: the
 * same line as --clock-rate and --clock-origin. Loaded by LD_PRELOAD. Sleeps and the monotonic clock
 * stay as they are: libfaketime 0.9.10 scales those too, and Python's waits then never end. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static double rate;
static double origin;

__attribute__((constructor)) static void begin(void) {
    const char *r = getenv("FASTCLOCK_RATE"), *o = getenv("FASTCLOCK_ORIGIN");
    rate = r ? atof(r) : 1;
    origin = o ? atof(o) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
    if (syscall(SYS_clock_gettime, clock, out) != 0) return -1;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        double since = (double)out->tv_sec - origin + out->tv_nsec / 1e9;
        double now = since * rate;
        out->tv_sec = (time_t)origin + (time_t)now;
        out->tv_nsec = (long)((now - (time_t)now) * 1e9);
    }
    return 0;
}

int gettimeofday(struct timeval *out, void *zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
