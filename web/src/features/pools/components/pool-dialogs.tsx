import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input } from '@fluentui/react-components'
import { useEffect, useState } from 'react'
import type { Pool } from '@/api/types'
import { ErrorPanel } from '@/components/error-panel'
import { FormDialog } from '@/components/form-dialog'
import { LimitField } from '@/components/limit-field'
import { SecretOnce } from '@/components/secret-once'
import { Skeleton } from '@/components/skeleton'
import { useFocusBack } from '@/lib/focus-back'
import { exact } from '@/lib/format'
import { limitOf, limitProblem, limitText } from '@/lib/job-limit'
import { keys } from '@/lib/keys'
import { useSend } from '@/lib/send'
import { registrationToken, savePool } from '../api/pools'
import { joinCommand } from '../model/worker'

/** Makes a pool, renames one, or limits its jobs. */
export function PoolDialog({ pool, onClose }: { pool: Pool | undefined; onClose: () => void }) {
  const [name, setName] = useState(pool?.name ?? '')
  const [tried, setTried] = useState(false)
  const send = useSend(savePool(pool?.id), [keys.pools])
  const [limit, setLimit] = useState(limitText(pool?.maxParallelism))
  const submit = () => {
    setTried(true)
    if (name.trim() !== '' && limitProblem(limit) === undefined) send.mutate({ name: name.trim(), maxParallelism: limitOf(limit) }, { onSuccess: onClose })
  }
  return (
    <FormDialog title={pool === undefined ? 'New pool' : `Pool ${pool.name}`} submit={pool === undefined ? 'Create pool' : 'Save pool'} doing="save the pool" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}>
      <Field label="Name" required hint="Pipelines name it: pool: name" {...(tried && name.trim() === '' ? { validationMessage: 'A pool needs a name.' } : {})}>
        <Input value={name} autoFocus onChange={(_, { value }) => setName(value)} />
      </Field>
      <LimitField value={limit} hint="Jobs beyond wait, whatever room its workers have. Empty: no limit." onChange={setLimit} />
    </FormDialog>
  )
}

/** The command that lets a machine join, with a token that works for an hour. */
export function JoinDialog({ pool, onClose }: { pool: Pool; onClose: () => void }) {
  useFocusBack()
  const { mutate, data, error } = useSend(registrationToken(pool.id), [])
  useEffect(() => mutate(), [mutate])
  return (
    <Dialog open onOpenChange={(_, { open }) => { if (!open) onClose() }}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>A new worker for {pool.name}</DialogTitle>
          <DialogContent>
            {error !== null && <ErrorPanel error={error} doing="make a registration token" onRetry={() => mutate()} />}
            {data === undefined ? error === null && <Skeleton rows={2} /> : (
              <>
                <p style={{ marginTop: 0 }}>On the machine that is to run jobs (it needs the slipway program, and reaches this server):</p>
                <SecretOnce label="Command" value={joinCommand(window.location.origin, pool.name, data.token)} />
                <p>The token registers workers until {exact(data.expiresAt)}. The worker shows here as soon as it is connected.</p>
              </>
            )}
          </DialogContent>
          <DialogActions><Button appearance="primary" onClick={onClose}>Done</Button></DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  )
}
