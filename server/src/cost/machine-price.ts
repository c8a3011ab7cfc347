/** The machine as the operator pays for it. */
export interface MachineModel {
  currency: string;
  pricePerHour: number;
  cores: number;
  memoryMiB: number;
  /** Of cores and memory, kept free for peaks and for what is not functions. */
  headroomPercent: number;
}

/** What a part of the machine costs, in its currency, where all that may be used is used. */
export interface MachinePrice {
  usableCores: number;
  usableMemoryMiB: number;
  perSecond: number;
  /** For one second of one core. */
  perCpuSecond: number;
  /** For 1024 MiB held for one second. */
  perGbSecond: number;
}

const MIB_PER_GB = 1024;

/** CPU and memory are each priced as if they were all that is paid for: what runs takes whichever of the two comes out higher (`dominant`). */
export function machinePrice(model: MachineModel): MachinePrice {
  const share = 1 - model.headroomPercent / 100;
  const usableCores = model.cores * share;
  const usableMemoryMiB = model.memoryMiB * share;
  const perSecond = model.pricePerHour / 3600;
  return {
    usableCores,
    usableMemoryMiB,
    perSecond,
    perCpuSecond: perSecond / usableCores,
    perGbSecond: perSecond / (usableMemoryMiB / MIB_PER_GB),
  };
}
