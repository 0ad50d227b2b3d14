import { createDarkTheme, createLightTheme, type BrandVariants, type Theme } from '@fluentui/react-components'

/** Deep teal, the one accent. 80 is the light theme's main step, 70 the dark one's. */
const teal: BrandVariants = {
  10: '#021314', 20: '#052224', 30: '#07393c', 40: '#084a4d', 50: '#095658', 60: '#0a5c60', 70: '#0e6f74', 80: '#0b6a6f',
  90: '#1d8187', 100: '#4fb8bd', 110: '#63c3c8', 120: '#77cdd1', 130: '#8ad1d5', 140: '#a6dfe1', 150: '#c3ecee', 160: '#e0f7f7',
}

const shared: Partial<Theme> = {
  fontFamilyBase: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  fontSizeBase300: '14px',
  lineHeightBase300: '20px',
}

/** Fluent's surfaces are those of tokens.css, so that a dialog and the page below it are of one make. */
const surfaces: Partial<Theme> = {
  colorNeutralBackground1: 'var(--raised)',
  colorNeutralBackground1Hover: 'var(--hover)',
  colorNeutralForeground1: 'var(--text)',
  colorNeutralForeground2: 'var(--text)',
  colorNeutralForeground3: 'var(--text-2)',
  colorNeutralStrokeAccessible: 'var(--line-strong)',
  colorSubtleBackgroundHover: 'var(--hover)',
}

export const lightTheme: Theme = { ...createLightTheme(teal), ...shared, ...surfaces, colorBrandBackgroundHover: '#095b5f', colorBrandBackgroundPressed: '#084d50' }
export const darkTheme: Theme = { ...createDarkTheme(teal), ...shared, ...surfaces }
