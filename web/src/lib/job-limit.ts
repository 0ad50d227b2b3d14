/** The limit on jobs at once as a form's field: empty for none. */
export const limitText = (limit: number | null | undefined): string => (limit === null || limit === undefined || limit === 0 ? '' : String(limit))

const most = 100_000

/** What is wrong with it: the server takes 1 to 100000. */
export function limitProblem(text: string): string | undefined {
  const trimmed = text.trim()
  return trimmed === '' || (/^\d+$/.test(trimmed) && Number(trimmed) >= 1 && Number(trimmed) <= most) ? undefined : `A whole number from 1 to ${most}, or nothing for no limit.`
}

/** As the server takes it. */
export const limitOf = (text: string): number | null => (text.trim() === '' ? null : Number(text))
