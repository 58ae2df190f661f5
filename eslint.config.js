// Lint with types: a floating promise or an unsafe value is an error.
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'out/', 'proto/generated/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.js', '*.config.ts'] } },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    // A terminal program prints; benches, examples and what makes the pages are terminal programs.
    files: ['bench/**', 'sdk/examples/**', 'docs/site/**', 'test/faults/main.ts'],
    rules: { 'no-console': 'off' },
  },
);
