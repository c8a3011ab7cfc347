#include "guest.h"

#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BILLION 1000000000ull

bool set_clock(uint64_t nanoseconds)
{
	struct timespec time = {.tv_sec = (time_t)(nanoseconds / BILLION), .tv_nsec = (long)(nanoseconds % BILLION)};
	return clock_settime(CLOCK_REALTIME, &time) == 0;
}

/* Of the kernel; open before anybody waits for it. */
static int generator = -1;

bool open_generator(void)
{
	generator = open("/dev/urandom", O_RDWR | O_CLOEXEC);
	return generator >= 0;
}

bool seed_kernel(const unsigned char *bytes, size_t size)
{
	struct {
		struct rand_pool_info info;
		unsigned char bytes[2 * SEED_BYTES];
	} pool = {.info = {.entropy_count = (int)(8 * size), .buf_size = (int)size}};
	if (size > sizeof pool.bytes)
		return false;
	memcpy(pool.info.buf, bytes, size);
	bool is_done = ioctl(generator, RNDADDENTROPY, &pool) == 0 && ioctl(generator, RNDRESEEDCRNG) == 0;
	explicit_bzero(&pool, sizeof pool);
	return is_done;
}
