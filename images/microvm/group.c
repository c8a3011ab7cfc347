#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUPS "/sys/fs/cgroup"
#define GROUP GROUPS "/sandbox"
#define FILE_BYTES_MAX 4096

void group_make(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	if (mount("cgroup2", GROUPS, "cgroup2", flags, NULL) < 0)
		fatal("control groups cannot be mounted");
	if (!write_text(GROUPS "/cgroup.subtree_control", "+memory +pids +cpu"))
		fatal("the kernel has no control groups for memory, processes and processors");
	if (mkdir(GROUP, 0755) < 0)
		fatal("a control group cannot be made");
	/* A kernel without swap has no such file. */
	if (!write_text(GROUP "/memory.swap.max", "0") && errno != ENOENT)
		fatal("swap cannot be forbidden");
}

static bool set(const char *path, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, value);
	return write_text(path, text);
}

/* As `set`, unless that is what stands there. */
static bool change(const char *path, uint64_t value, uint64_t *now)
{
	if (value == *now)
		return true;
	*now = 0;
	if (!set(path, value))
		return false;
	*now = value;
	return true;
}

bool group_limit(uint64_t memory, uint64_t pids)
{
	static uint64_t memory_now, pids_now;
	if (!change(GROUP "/memory.max", memory, &memory_now))
		return false;
	return change(GROUP "/pids.max", pids, &pids_now);
}

int group_entry(void)
{
	return open(GROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC);
}

int group_events(void)
{
	return open(GROUP "/memory.events", O_RDONLY | O_CLOEXEC);
}

/* The number of the line that begins with the key; key NULL: of the first. */
static bool number_in(char *text, const char *key, uint64_t *value)
{
	size_t skipped = key == NULL ? 0 : strlen(key);
	for (char *line; (line = strsep(&text, "\n")) != NULL;) {
		if (key != NULL && (strncmp(line, key, skipped) != 0 || line[skipped] != ' '))
			continue;
		*value = strtoull(line + skipped, NULL, 10);
		return true;
	}
	return false;
}

static bool number_of(const char *path, const char *key, uint64_t *value)
{
	char text[FILE_BYTES_MAX];
	return read_text(path, text, sizeof text) >= 0 && number_in(text, key, value);
}

uint64_t group_kills(int events)
{
	char text[FILE_BYTES_MAX];
	uint64_t kills = 0;
	ssize_t got = pread(events, text, sizeof text - 1, 0);
	if (got < 0)
		return 0;
	text[got] = '\0';
	number_in(text, "oom_kill", &kills);
	return kills;
}

bool group_usage(uint64_t *memory, uint64_t *cpu_micros, uint64_t *pids)
{
	return number_of(GROUP "/memory.current", NULL, memory) &&
	       number_of(GROUP "/cpu.stat", "usage_usec", cpu_micros) &&
	       number_of(GROUP "/pids.current", NULL, pids);
}
