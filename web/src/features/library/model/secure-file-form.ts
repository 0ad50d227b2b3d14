import type { SecureFile } from '@/api/types'
import { bytes } from '@/lib/format'

/** The server takes no more. */
export const largestSecureFile = 10 * 1024 * 1024

export interface SecureFileProblems {
  file?: string
  name?: string
}

/** What is wrong with an upload before it is sent; nothing when it can be. */
export function secureFileProblems(name: string, file: Pick<File, 'size'> | undefined, existing: Pick<SecureFile, 'name'>[]): SecureFileProblems {
  const text = name.trim()
  return {
    ...(file === undefined ? { file: 'Which file?' }
      : file.size === 0 ? { file: 'The file is empty.' }
        : file.size > largestSecureFile ? { file: `The file has ${bytes(file.size)}; a secure file has ${bytes(largestSecureFile)} at most.` } : {}),
    ...(text === '' ? { name: 'Pipelines fetch the file by its name.' }
      : text.startsWith('.') || /["/\\<>|:*?]/.test(text) ? { name: 'A name has none of " / \\ < > | : * ? and does not begin with a dot.' }
        : existing.some((one) => one.name === text) ? { name: `There is a secure file ${text} already: delete that one first, or choose another name.` } : {}),
  }
}
