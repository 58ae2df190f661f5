// The method, pure: networks, views, scores and the model pack. No I/O, no environment, no network.

export * from './describe.ts';
export * from './errors.ts';
export * from './networks.ts';
export * from './pack.ts';
export * from './scores.ts';
export * from './standing.ts';
export * from './views.ts';
