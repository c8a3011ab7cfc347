#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MODULES "/modules"
/* Until the drives are there, which are found after their driver was loaded. */
#define DRIVE_MS 10000

static char command_line[LINE_BYTES_MAX];

bool has_option(const char *word)
{
	size_t size = strlen(word);
	for (const char *at = command_line; (at = strstr(at, word)) != NULL; at += size) {
		bool starts = at == command_line || at[-1] == ' ';
		if (starts && strchr(" \n", at[size]) != NULL)
			return true;
	}
	return false;
}

bool option_value(const char *word, char *into, size_t size)
{
	const char *at = strstr(command_line, word);
	if (at == NULL || (at != command_line && at[-1] != ' '))
		return false;
	at += strlen(word);
	size_t bytes = strcspn(at, " \n");
	if (bytes == 0 || bytes >= size)
		fatal("%s has no value that could be", word);
	memcpy(into, at, bytes);
	into[bytes] = '\0';
	return true;
}

static void mount_or_die(const char *type, const char *at, unsigned long flags, const char *options)
{
	mkdir(at, 0755);
	if (mount(type, at, type, flags, options) < 0)
		fatal("%s cannot be mounted at %s", type, at);
}

static int by_name(const void *one, const void *two)
{
	return strcmp(*(char *const *)one, *(char *const *)two);
}

/* `common.00.virtio.ko`: the names say when they are loaded. Those of the other way to the host never are. */
static void load_modules(void)
{
	const char *other = is_vsock() ? "serial." : "vsock.";
	char *names[MODULES_MAX];
	size_t count = 0;
	DIR *folder = opendir(MODULES);
	if (folder == NULL)
		return;
	struct dirent *entry;
	while (count < MODULES_MAX && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.' && strncmp(entry->d_name, other, strlen(other)) != 0)
			names[count++] = strdup(entry->d_name);
	closedir(folder);
	qsort(names, count, sizeof *names, by_name);
	for (size_t at = 0; at < count; at++) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, MODULES "/%s", names[at]);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
			fatal("%s cannot be loaded", path);
		close(fd);
		/* Loaded, they are in the kernel's memory: not twice. */
		unlink(path);
		free(names[at]);
	}
}

static void mount_drive(const char *device, const char *at)
{
	static const char *const types[] = {"erofs", "squashfs"};
	const unsigned long flags = MS_RDONLY | MS_NODEV | MS_NOSUID;
	for (int64_t end = now_ms() + DRIVE_MS;; sleep_ms(1)) {
		for (size_t each = 0; each < sizeof types / sizeof *types; each++)
			if (mount(device, at, types[each], flags, NULL) == 0)
				return;
		if (now_ms() > end)
			fatal("%s cannot be mounted at %s", device, at);
	}
}

/* What a program may expect of any machine, and nothing that leads out of it. */
static void make_devices(void)
{
	static const struct {
		const char *name;
		unsigned int major, minor;
	} devices[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
	static const char *const links[][2] = {{"/proc/self/fd", "fd"},
		{"/proc/self/fd/0", "stdin"},
		{"/proc/self/fd/1", "stdout"},
		{"/proc/self/fd/2", "stderr"},
		{"pts/ptmx", "ptmx"}};
	mount_or_die("tmpfs", ROOT "/dev", MS_NOSUID | MS_NOEXEC, "size=64k,mode=0755");
	for (size_t each = 0; each < sizeof devices / sizeof *devices; each++) {
		char path[64];
		snprintf(path, sizeof path, ROOT "/dev/%s", devices[each].name);
		dev_t device = makedev(devices[each].major, devices[each].minor);
		if (mknod(path, S_IFCHR | 0666, device) < 0 || chmod(path, 0666) < 0)
			fatal("%s cannot be made", path);
	}
	for (size_t each = 0; each < sizeof links / sizeof *links; each++) {
		char path[64];
		snprintf(path, sizeof path, ROOT "/dev/%s", links[each][1]);
		if (symlink(links[each][0], path) < 0)
			fatal("%s cannot be made", path);
	}
	mount_or_die("devpts", ROOT "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
}

#define PRIVATE "uid=65534,gid=65534,nr_inodes=65536,"

static void mount_private(const char *at, const char *mode, uint64_t bytes)
{
	char options[128];
	snprintf(options, sizeof options, PRIVATE "mode=%s,size=%llu", mode, (unsigned long long)bytes);
	mount_or_die("tmpfs", at, MS_NOSUID | MS_NODEV, options);
}

bool set_tmp_bytes(uint64_t bytes)
{
	static uint64_t bytes_now;
	char options[64];
	if (bytes == bytes_now)
		return true;
	snprintf(options, sizeof options, "size=%llu", (unsigned long long)bytes);
	if (mount(NULL, ROOT "/tmp", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, options) < 0)
		return false;
	bytes_now = bytes;
	return true;
}

static void make_root(void)
{
	mkdir(ROOT, 0755);
	mount_drive("/dev/vda", ROOT);
	if (has_option("isola.tools=1"))
		mount_drive("/dev/vdb", ROOT ISOLA_TOOLS);
	char socket_at[128];
	if (option_value("isola.socket=", socket_at, sizeof socket_at))
		socket_listen(socket_at);
	make_devices();
	mount_private(ROOT "/tmp", "0700", ISOLA_TASK_BYTES);
	mount_private(ROOT "/var/task", "0700", ISOLA_TASK_BYTES);
	mount_private(ROOT "/dev/shm", "1777", ISOLA_SHM_BYTES);
	if (mount(NULL, ROOT "/dev", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL) < 0)
		fatal("/dev cannot be made read-only");
}

static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fatal("lo cannot be raised");
	close(fd);
}

void boot(void)
{
	umask(022);
	signal(SIGPIPE, SIG_IGN);
	mount_or_die("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_or_die("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	/* The kernel may have mounted it itself. */
	mkdir("/dev", 0755);
	if (mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL) < 0 && errno != EBUSY)
		fatal("devtmpfs cannot be mounted");
	if (read_text("/proc/cmdline", command_line, sizeof command_line) < 0)
		fatal("the command line cannot be read");
	/* Killed for memory is the code, not what watches it. */
	if (!write_text("/proc/self/oom_score_adj", "-1000"))
		fatal("oom_score_adj cannot be set");
	/* The filter of system calls refuses them as well. */
	write_text("/proc/sys/user/max_user_namespaces", "0");
	if (!open_generator())
		fatal("the generator of randomness cannot be opened");
	filter_read();
	load_modules();
	make_root();
	raise_loopback();
	group_make();
}
