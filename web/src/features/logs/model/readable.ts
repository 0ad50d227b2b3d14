/** Makes a log's own colours readable on the page's ground (WCAG: 4.5 to 1). */

const channel = (value: number) => {
  const part = value / 255
  return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
}

const rgb = (colour: string): [number, number, number] => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)) as [number, number, number]

function luminance(colour: string): number {
  const [r, g, b] = rgb(colour)
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b)
}

export function contrast(one: string, two: string): number {
  const [a, b] = [luminance(one), luminance(two)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

/** Moves `colour` towards white or black, whichever stands out from `ground`, until it can be read. */
export function readable(colour: string, ground: string): string {
  const target = luminance(ground) > 0.18 ? 0 : 255
  let mixed = colour
  for (let step = 1; step <= 20 && contrast(mixed, ground) < 4.5; step += 1) {
    const share = step / 20
    mixed = '#' + rgb(colour).map((value) => Math.round(value + (target - value) * share).toString(16).padStart(2, '0')).join('')
  }
  return mixed
}
