import type { SeedResults } from './runs.ts';
export async function writeResults(_seeds: readonly SeedResults[], _folder: string): Promise<void> {
}
