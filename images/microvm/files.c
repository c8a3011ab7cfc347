#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

/* The console keeps the words, and the end of the machine is what the host sees. */
void fatal(const char *format, ...)
{
	char text[TEXT_BYTES_MAX];
	int code = errno;
	va_list values;
	va_start(values, format);
	vsnprintf(text, sizeof text, format, values);
	va_end(values);
	dprintf(2, "isola: %s: %s\n", text, strerror(code));
	sync();
	reboot(RB_AUTOBOOT);
	_exit(1);
}

bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int code = errno;
	close(fd);
	errno = code;
	return is_written;
}

ssize_t read_text(const char *path, char *into, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size_t bytes = 0;
	ssize_t got;
	while (bytes < size && (got = read(fd, into + bytes, size - bytes)) > 0)
		bytes += (size_t)got;
	close(fd);
	if (bytes == size)
		return -1;
	into[bytes] = '\0';
	return (ssize_t)bytes;
}

bool write_all(int fd, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t wrote = write(fd, (const char *)bytes + done, size - done);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		done += (size_t)wrote;
	}
	return true;
}

int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* Left to the kernel, which would have to look for more otherwise. */
#define KEPT_FREE_BYTES (24ull * 1024 * 1024)

void clear_free_memory(void)
{
	struct sysinfo info;
	if (sysinfo(&info) < 0)
		return;
	uint64_t bytes = (uint64_t)info.freeram * info.mem_unit;
	if (bytes <= KEPT_FREE_BYTES)
		return;
	bytes -= KEPT_FREE_BYTES;
	/* The kernel clears every page that it gives. */
	void *taken = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (taken != MAP_FAILED)
		munmap(taken, bytes);
}
