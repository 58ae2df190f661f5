// The model pack (model.json, weights.safetensors, labels.txt) as text and bytes, without a disk.

export * from './pack/elements.ts';
export * from './pack/labels.ts';
export * from './pack/model-json.ts';
export * from './pack/safetensors.ts';
export * from './pack/weights.ts';
