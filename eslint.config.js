/** ESLint: typescript-eslint's strict, type-checked rules for all TypeScript; the recommended ones for plain scripts. */
const js = require('@eslint/js')
const { createNodeResolver, importX } = require('eslint-plugin-import-x')
const tseslint = require('typescript-eslint')

/** What is there in a browser only, and is easily written by mistake. */
const domGlobals = [
  ...'window document self top parent frames opener origin location history screen external'.split(' '),
  ...'name event status length closed open close stop print find focus blur alert confirm prompt scroll'.split(' '),
]

module.exports = tseslint.config(
  { ignores: ['build/', 'coverage/', 'dist/', 'node_modules/', 'test/types/'] },
  js.configs.recommended,
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        ['console', 'process', 'URL', 'Buffer', 'require', 'module', '__dirname', 'setTimeout', 'globalThis'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
  {
    files: ['**/*.{ts,mts}'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    rules: {
      // Numbers are what error messages are made of.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // An index that was checked.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // What a module needs to be understood lies below it.
    files: ['src/**/*.ts'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts'],
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts'] })],
    },
    rules: { 'import-x/no-cycle': 'error' },
  },
  {
    // The script of the report's page names the types of the DOM, which TypeScript then knows everywhere.
    files: ['**/*.ts'],
    ignores: ['src/report/page.ts'],
    rules: {
      'no-restricted-globals': ['error', ...domGlobals],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // `host!` is what a test has after it opened the embedded kernel; bigint and unknown values name its rows.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
    },
  },
)
