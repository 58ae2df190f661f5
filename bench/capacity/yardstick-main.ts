// How fast this core is: the same piece of work every 50 ms, in CPU time, so that nobody who wants the core too is in it.
// For bench/capacity, which asks for the samples since it last asked: [moment, milliseconds], moments since 1970.

const EVERY_MS = 50;
const WARM = 300;
// Larger than what a core has for itself: it is the memory, too, that others make slow. A number of each line is read.
const NUMBERS = new Int32Array(2 ** 19);
const LINE = 16;

let samples: [at: number, ms: number][] = [];
// Is sent, so that nobody leaves the work out.
let sum = 0;

function work(): void {
  for (let i = 0; i < NUMBERS.length; i += LINE) {
    NUMBERS[i] = ((NUMBERS[i] ?? 0) + 1) | 0;
    sum ^= NUMBERS[(i * 40503) & (NUMBERS.length - 1)] ?? 0;
  }
}

function spent(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

for (let i = 0; i < WARM; i++) work();
setInterval(() => {
  const before = spent();
  work();
  samples.push([performance.timeOrigin + performance.now(), spent() - before]);
}, EVERY_MS);
process.on('message', () => {
  process.send?.({ samples, sum });
  samples = [];
});
process.on('disconnect', () => process.exit());
