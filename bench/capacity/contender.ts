// A process that only uses a core, for bench/capacity: all the time, or in short pieces whose length it tells.
//
//     node dist/bench/capacity/contender.js spin | bursts

const BURST_MS = 2;
const GAP_MS = 10;

const [, , how = 'spin'] = process.argv;
if (how === 'spin') for (;;) work(1e7);

// As many rounds as take BURST_MS alone, found before anything else runs.
let rounds = 1e5;
for (let i = 0; i < 20; i++) {
  const start = performance.now();
  work(rounds);
  rounds *= BURST_MS / Math.max(0.01, performance.now() - start);
}
const alone: number[] = [];
const bursts: number[] = [];
let into = alone;
const timer = setInterval(() => {
  const start = performance.now();
  work(rounds);
  into.push(performance.now() - start);
}, GAP_MS);
// The first message says that the engine runs now, the second that it is over.
process.on('message', () => {
  if (into === alone) into = bursts;
  else {
    clearInterval(timer);
    process.send?.({ alone: middle(alone), beside: mean(bursts) }, () => {
      process.exit(0);
    });
  }
});
process.send?.('ready');

// Compilers are at work at first.
function middle(values: readonly number[]): number {
  return mean(values.slice(Math.floor(values.length / 2)));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function work(count: number): number {
  let x = 1;
  for (let i = 0; i < count; i++) x = (x * 1103515245 + 12345) % 2147483648;
  return x;
}
