// Loaded into a process before its own code: each SIGUSR2 sets its clock by an hour, ahead and back by turns, as an operator or a time
// server would set the machine's. What counts evenly, timers and performance.now(), is left alone, as it is there.

const HOUR_MS = 3_600_000;
const Real = Date;
let stepMs = 0;

class SetDate extends Real {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(Real.now() + stepMs);
    else super(...(args as [number]));
  }

  static override now(): number {
    return Real.now() + stepMs;
  }
}

globalThis.Date = SetDate as DateConstructor;

process.on('SIGUSR2', () => {
  stepMs = stepMs === 0 ? HOUR_MS : 0;
});
