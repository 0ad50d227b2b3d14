import { describe, expect, it } from 'vitest'
import { canPreview, largestPreview, previewOf } from './preview'

const encoded = (text: string) => new TextEncoder().encode(text)

describe('the preview of a file', () => {
  it.each<[string, number, boolean]>([
    ['docs/notes.md', 20, true], ['binary-without-extension', 20, true], ['empty.txt', 0, false], ['huge.log', largestPreview + 1, false], ['package.zip', 20, false], ['lib/libx.so', 20, false],
  ])('of %s with %i bytes: %s', (path, size, can) => expect(canPreview(path, size)).toBe(can))
  it('shows text as text, markup too', () => expect(previewOf('a.html', encoded('<script>alert(1)</script>'))).toEqual({ kind: 'text', text: '<script>alert(1)</script>' }))
  it('draws a picture as an image', () => expect(previewOf('a.SVG', encoded('<svg/>'))).toEqual({ kind: 'image', source: `data:image/svg+xml;base64,${btoa('<svg/>')}` }))
  it('of other bytes there is none', () => {
    expect(previewOf('a', new Uint8Array([104, 0, 105]))).toEqual({ kind: 'binary' })
    expect(previewOf('a', new Uint8Array([0xff, 0xfe, 0x41]))).toEqual({ kind: 'binary' })
  })
})
