import type { RunPriority } from '@/api/types'

/** The priorities of a run, the most urgent first. */
export const priorityWords: Record<RunPriority, string> = { high: 'High', aboveNormal: 'Above normal', normal: 'Normal', belowNormal: 'Below normal', low: 'Low' }
