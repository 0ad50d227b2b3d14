import type { LogLines } from '@/api/types'
import { apiPath, getJson } from '@/lib/http'

export const fetchLogLines = (project: string, runId: number, logId: number, from: number, count: number, signal: AbortSignal) =>
  getJson<LogLines>(apiPath([project, '_apis', 'slipway', 'logs', runId, logId, 'lines'], { from, count }), signal)

/** The whole log as plain text, for saving. */
export const logDownloadPath = (project: string, runId: number, logId: number) =>
  apiPath([project, '_apis', 'slipway', 'logs', runId, logId], { offset: 0 })
