/* Runs on the host. Copies the file at descriptor 0 into memory that nobody can change any more: a sealed memfd, descriptor 3 of this process. Says "sealed" on
   descriptor 1 when it is whole, and lives until it is killed or its parent ends; who has opened /proc/PID/fd/3 has the memory as long as they like.
   Holes stay holes. Ends with status 1 and a line on descriptor 2 when something fails. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_FD 3
#define PART_BYTES (1 << 20)

static void fail(const char *what) {
  dprintf(2, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static void copy(off_t from, off_t to) {
  static char part[PART_BYTES];
  while (from < to) {
    size_t wanted = to - from < PART_BYTES ? (size_t)(to - from) : PART_BYTES;
    ssize_t got = pread(0, part, wanted, from);
    if (got < 0) fail("read");
    if (got == 0) {
      errno = ENODATA;
      fail("read");
    }
    for (ssize_t at = 0; at < got;) {
      ssize_t put = pwrite(MEMORY_FD, part + at, (size_t)(got - at), from + at);
      if (put < 0) fail("write to memory");
      at += put;
    }
    from += got;
  }
}

int main(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int memory = memfd_create("isola-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0) fail("memfd_create");
  if (memory != MEMORY_FD && dup3(memory, MEMORY_FD, O_CLOEXEC) < 0) fail("dup3");
  struct stat file;
  if (fstat(0, &file) < 0) fail("fstat");
  if (ftruncate(MEMORY_FD, file.st_size) < 0) fail("ftruncate");
  for (off_t at = 0; at < file.st_size;) {
    off_t from = lseek(0, at, SEEK_DATA);
    if (from < 0 && errno == ENXIO) break;
    if (from < 0) fail("lseek");
    off_t to = lseek(0, from, SEEK_HOLE);
    if (to < 0) fail("lseek");
    copy(from, to);
    at = to;
  }
  /* QEMU opens it for reading and writing, as another user, and maps it privately. */
  if (fchmod(MEMORY_FD, 0666) < 0) fail("fchmod");
  if (fcntl(MEMORY_FD, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) fail("seal");
  if (write(1, "sealed\n", 7) != 7) fail("write");
  for (;;) pause();
}
