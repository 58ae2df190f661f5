// Which models are there?
// node dist/sdk/examples/models.js [HOST:PORT]

import { createClient } from '../index.ts';

const [inference = '127.0.0.1:50053'] = process.argv.slice(2);
const client = createClient({ inference });
try {
  for (const { name, network, classes, parameters, macs, isDefault } of await client.models()) {
    const size = `${(parameters / 1e6).toFixed(1)} M parameters, ${(macs / 1e9).toFixed(2)} GMAC a crop`;
    console.log(`${name}${isDefault ? ' (default)' : ''}: ${network}, ${String(classes)} classes, ${size}`);
  }
} finally {
  client.close();
}
