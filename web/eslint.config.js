import js from '@eslint/js'
import importX from 'eslint-plugin-import-x'
import jsxA11y from 'eslint-plugin-jsx-a11y'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

const features = ['approvals', 'environments', 'home', 'library', 'logs', 'pipelines', 'pools', 'runs', 'session', 'settings']

// Imports point downwards only: app -> features -> components, lib, api. Features never see each other;
// what needs two of them is composed in app/routes.
const zones = [
  { target: './src/api', from: ['./src/app', './src/features', './src/components', './src/lib', './src/testing'] },
  { target: './src/lib', from: ['./src/app', './src/features', './src/components', './src/testing'] },
  { target: './src/components', from: ['./src/app', './src/features', './src/testing'] },
  { target: './src/features', from: ['./src/app'] },
  ...features.map((name) => ({
    target: `./src/features/${name}`,
    from: './src/features',
    except: [`./${name}`],
    message: 'A feature does not import another: compose them in app/routes.',
  })),
]

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'test-results'] },
  js.configs.recommended,
  { files: ['tools/**', 'eslint.config.js'], languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } } },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX, 'react-hooks': reactHooks, 'jsx-a11y': jsxA11y },
    rules: {
      ...reactHooks.configs.recommended.rules,
      ...jsxA11y.flatConfigs.recommended.rules,
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/only-throw-error': 'off', // the router's redirect() and notFound() are thrown values
      // The log and the graph are regions that scroll: they must be reachable by keyboard.
      'jsx-a11y/no-noninteractive-tabindex': ['error', { roles: ['log', 'region', 'tabpanel', 'grid'], tags: [], allowExpressionValues: true }],
      'jsx-a11y/no-autofocus': 'off',
    },
  },
  {
    files: ['src/testing/**', 'src/**/*.test.{ts,tsx}', 'dev/**'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
)
