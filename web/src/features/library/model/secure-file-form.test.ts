import { describe, expect, it } from 'vitest'
import { largestSecureFile, secureFileProblems } from './secure-file-form'

describe('an upload of a secure file', () => {
  it.each<[string, string, number | undefined, RegExp | undefined, RegExp | undefined]>([
    ['is fine', 'signing.pfx', 6, undefined, undefined],
    ['needs a file', 'signing.pfx', undefined, /Which file/, undefined],
    ['is not empty', 'signing.pfx', 0, /empty/, undefined],
    ['has a limit', 'signing.pfx', largestSecureFile + 1, /10.0 MiB at most/, undefined],
    ['just fits', 'signing.pfx', largestSecureFile, undefined, undefined],
    ['needs a name', ' ', 6, undefined, /by its name/],
    ['has a name without a folder', 'keys/signing.pfx', 6, undefined, /none of/],
    ['is not hidden', '.npmrc', 6, undefined, /dot/],
    ['takes no other name away', 'there.key', 6, undefined, /already/],
  ])('%s', (_, name, size, file, called) => {
    const problems = secureFileProblems(name, size === undefined ? undefined : { size }, [{ name: 'there.key' }])
    if (file === undefined) expect(problems.file).toBeUndefined()
    else expect(problems.file).toMatch(file)
    if (called === undefined) expect(problems.name).toBeUndefined()
    else expect(problems.name).toMatch(called)
  })
})
