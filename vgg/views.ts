// The geometry of an evaluation: photo size → planes and views.

export * from './views/evaluation.ts';
export * from './views/order.ts';
export * from './views/planes.ts';
export * from './views/views.ts';
