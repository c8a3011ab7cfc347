#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/vm_sockets.h>
#include <unistd.h>

#define PORTS "/sys/class/virtio-ports"
#define VSOCK_PORT_FIRST 1024

static const char *const names[] = {"isola.control", "isola.stdout", "isola.stderr", "isola.agent", "isola.socket"};
/* Ports that are open, whether the host has its end or not; -1: not yet. */
static int ports[] = {-1, -1, -1, -1, -1};

bool is_vsock(void)
{
	return has_option("isola.transport=vsock");
}

/* The port's device, by the name that the host gave it. */
static bool find_port(const char *name, char *device, size_t size)
{
	DIR *folder = opendir(PORTS);
	struct dirent *entry;
	bool is_found = false;
	while (folder != NULL && !is_found && (entry = readdir(folder)) != NULL) {
		char path[PATH_MAX], found[64];
		snprintf(path, sizeof path, PORTS "/%s/name", entry->d_name);
		if (entry->d_name[0] == '.' || read_text(path, found, sizeof found) < 0)
			continue;
		found[strcspn(found, "\n")] = '\0';
		is_found = strcmp(found, name) == 0;
		snprintf(device, size, "/dev/%.40s", entry->d_name);
	}
	if (folder != NULL)
		closedir(folder);
	return is_found;
}

static void open_port(enum channel channel)
{
	char device[64];
	if (ports[channel] < 0 && find_port(names[channel], device, sizeof device))
		ports[channel] = open(device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

/* Until the host has its end, a port hangs up. Whoever gets it closes it. */
static int take_port(enum channel channel)
{
	open_port(channel);
	struct pollfd port = {.fd = ports[channel], .events = POLLOUT};
	if (port.fd < 0 || poll(&port, 1, 0) < 0 || (port.revents & POLLHUP) != 0)
		return -1;
	ports[channel] = -1;
	return port.fd;
}

void open_ports(void)
{
	for (int channel = CONTROL; channel <= STDERR && !is_vsock(); channel++)
		open_port((enum channel)channel);
}

static int open_vsock(unsigned int number)
{
	struct sockaddr_vm host = {.svm_family = AF_VSOCK, .svm_port = number, .svm_cid = VMADDR_CID_HOST};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&host, sizeof host) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	close(fd);
	return -1;
}

int dial(enum channel channel, int within_ms)
{
	for (int64_t end = now_ms() + within_ms;; sleep_ms(is_vsock() ? REDIAL_MS : 1)) {
		int fd = is_vsock() ? open_vsock(VSOCK_PORT_FIRST + channel) : take_port(channel);
		if (fd >= 0 || now_ms() > end)
			return fd;
	}
}
