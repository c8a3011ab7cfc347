#include "guest.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILTER "/etc/isola/seccomp"
#define OPEN_FILES_MAX 1024

static struct sock_filter steps[BPF_MAXINSNS + 1];
static struct sock_fprog filter = {.filter = steps};

/* Without it code could reach the host's end of a vsock: nothing is started then. */
void filter_read(void)
{
	ssize_t bytes = read_text(FILTER, (char *)steps, sizeof steps);
	if (bytes <= 0 || (size_t)bytes % sizeof *steps != 0)
		fatal(FILTER " holds no filter of system calls");
	filter.len = (unsigned short)((size_t)bytes / sizeof *steps);
}

const char *drop_rights(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};
	struct rlimit files = {.rlim_cur = OPEN_FILES_MAX, .rlim_max = OPEN_FILES_MAX};
	struct rlimit cores = {0};
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_CORE, &cores) < 0)
		return "limits cannot be set";
	for (int each = 0; prctl(PR_CAPBSET_READ, each, 0, 0, 0) >= 0; each++)
		if (prctl(PR_CAPBSET_DROP, each, 0, 0, 0) < 0)
			return "capabilities cannot be given up";
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return "root cannot be given up";
	if (syscall(SYS_capset, &header, none) < 0)
		return "capabilities cannot be given up";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return "new rights cannot be given up";
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) < 0)
		return "the filter of system calls cannot be set";
	return NULL;
}
