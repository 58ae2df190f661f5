// When how many tasks of a service run: the rules, as data. The app that deploys turns them into alarms and policies,
// the simulation acts by them; neither has a rule of its own. Knows no cloud and no clock.

/** Services that scale, each by itself. */
export type ScaledService = 'gateway' | 'preprocess' | 'aggregator' | 'inference';
