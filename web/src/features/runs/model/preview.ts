/** Larger files are only downloaded. */
export const largestPreview = 512 * 1024

export type Preview = { kind: 'text'; text: string } | { kind: 'image'; source: string } | { kind: 'binary' }

const images: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', svg: 'image/svg+xml' }
const archives = /\.(zip|gz|tgz|xz|bz2|zst|7z|jar|war|so|a|o|exe|dll|bin|woff2?|pdf)$/i

/** Whether it is worth asking for the file: what cannot be shown is only downloaded. */
export const canPreview = (path: string, size: number): boolean => size > 0 && size <= largestPreview && !archives.test(path)

/** The bytes as a picture or as text. A picture is drawn as an image only, so that nothing in it can act. */
export function previewOf(path: string, bytes: Uint8Array): Preview {
  const type = images[path.split('.').at(-1)?.toLowerCase() ?? '']
  if (type !== undefined) {
    let binary = ''
    for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
    return { kind: 'image', source: `data:${type};base64,${btoa(binary)}` }
  }
  if (bytes.includes(0)) return { kind: 'binary' }
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return { kind: 'binary' }
  }
}
