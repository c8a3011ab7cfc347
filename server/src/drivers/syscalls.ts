/** Machine architectures that have a filter. */
export type FilterArch = "x64" | "arm64";

type Numbers = Record<FilterArch, number | null>;

const both = (x64: number, arm64: number): Numbers => ({ x64, arm64 });
/** Since Linux 5.0 a new call has the same number everywhere. */
const same = (number: number): Numbers => ({ x64: number, arm64: number });
const onlyX64 = (number: number): Numbers => ({ x64: number, arm64: null });

/** The first number without a call in the newest kernel that these lists were made from, 6.18. */
export const FIRST_UNKNOWN = 470;

/** Refused whatever their arguments: no function needs them, and each has let code out of a sandbox before or reaches parts of the kernel that only root should. */
export const refusedCalls: Record<string, Numbers> = {
  // mounts and the root
  mount: both(165, 40),
  umount2: both(166, 39),
  pivot_root: both(155, 41),
  chroot: both(161, 51),
  open_tree: same(428),
  move_mount: same(429),
  fsopen: same(430),
  fsconfig: same(431),
  fsmount: same(432),
  fspick: same(433),
  mount_setattr: same(442),
  statmount: same(457),
  listmount: same(458),
  open_tree_attr: same(467),
  // namespaces; those that `clone` makes are refused by its flags
  unshare: both(272, 97),
  setns: both(308, 268),
  // other processes
  ptrace: both(101, 117),
  process_vm_readv: both(310, 270),
  process_vm_writev: both(311, 271),
  kcmp: both(312, 272),
  pidfd_getfd: same(438),
  process_madvise: same(440),
  // parts of the kernel with a history of holes
  perf_event_open: both(298, 241),
  bpf: both(321, 280),
  userfaultfd: both(323, 282),
  io_uring_setup: same(425),
  io_uring_enter: same(426),
  io_uring_register: same(427),
  io_setup: both(206, 0),
  io_destroy: both(207, 1),
  io_submit: both(209, 2),
  io_cancel: both(210, 3),
  io_getevents: both(208, 4),
  io_pgetevents: both(333, 292),
  lookup_dcookie: both(212, 18),
  vmsplice: both(278, 75),
  modify_ldt: onlyX64(154),
  // keyrings, which no namespace divides
  add_key: both(248, 217),
  request_key: both(249, 218),
  keyctl: both(250, 219),
  // files by handle, past the mount namespace
  name_to_handle_at: both(303, 264),
  open_by_handle_at: both(304, 265),
  fanotify_init: both(300, 262),
  fanotify_mark: both(301, 263),
  // the machine
  kexec_load: both(246, 104),
  kexec_file_load: both(320, 294),
  init_module: both(175, 105),
  finit_module: both(313, 273),
  delete_module: both(176, 106),
  reboot: both(169, 142),
  swapon: both(167, 224),
  swapoff: both(168, 225),
  acct: both(163, 89),
  quotactl: both(179, 60),
  quotactl_fd: same(443),
  nfsservctl: both(180, 42),
  syslog: both(103, 116),
  vhangup: both(153, 58),
  sethostname: both(170, 161),
  setdomainname: both(171, 162),
  settimeofday: both(164, 170),
  clock_settime: both(227, 112),
  clock_adjtime: both(305, 266),
  adjtimex: both(159, 171),
  iopl: onlyX64(172),
  ioperm: onlyX64(173),
  // the memory of the machine's nodes
  mbind: both(237, 235),
  set_mempolicy: both(238, 237),
  migrate_pages: both(256, 238),
  move_pages: both(279, 239),
  set_mempolicy_home_node: same(450),
  // what old programs used
  uselib: onlyX64(134),
  ustat: onlyX64(136),
  sysfs: onlyX64(139),
  _sysctl: onlyX64(156),
  create_module: onlyX64(174),
  get_kernel_syms: onlyX64(177),
  query_module: onlyX64(178),
};

/** Refused by their arguments. */
export const judgedCalls = {
  clone: both(56, 220),
  clone3: same(435),
  socket: both(41, 198),
  socketpair: both(53, 199),
  ioctl: both(16, 29),
  personality: both(135, 92),
  mknod: onlyX64(133),
  mknodat: both(259, 33),
} satisfies Record<string, Numbers>;

/** What `judgedCalls` are asked, for every way to write a filter. Values of the kernel's headers, the same on both architectures. */
export const callRules = {
  /** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
  namespaceFlags: 0x7e020000,
  family: { unix: 1, inet: 2, inet6: 10, netlink: 16 },
  netlinkRoute: 0,
  socketKindMask: 0xf,
  /** Stream, datagram. */
  socketKinds: [1, 2],
  /** The default of the kind, TCP, UDP: others would load modules of the kernel. */
  internetProtocols: [0, 6, 17],
  /** TIOCSTI types into a terminal, TIOCLINUX too, TIOCSETD loads line disciplines. */
  terminalRequests: [0x5412, 0x541c, 0x5423],
  /** The usual one, and the question which it is. */
  personalities: [0, 0xffffffff],
  fileKindMask: 0o170000,
  /** Character and block devices. */
  deviceKinds: [0o020000, 0o060000],
} as const;
