import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from '@fluentui/react-components'
import { useFocusBack } from '@/lib/focus-back'
import { useSend } from '@/lib/send'
import { ErrorPanel } from './error-panel'
import styles from './form-dialog.module.css'

interface RemoveDialogProps {
  title: string
  /** What it means for others; there is no way back. */
  consequence: string
  verb?: string
  /** Completes "Could not ..." when the server refuses. */
  doing: string
  remove: () => Promise<unknown>
  /** Keys of the query cache that are stale afterwards. */
  stale: (readonly unknown[])[]
  /** Keys below this one are those of what is removed. */
  gone?: readonly unknown[]
  onClose: () => void
  onDone?: () => void
}

/** Asks once before something goes for good, and says what goes with it. */
export function RemoveDialog({ title, consequence, verb = 'Delete', doing, remove, stale, gone, onClose, onDone = onClose }: RemoveDialogProps) {
  useFocusBack()
  const send = useSend(remove, stale, gone)
  return (
    <Dialog open onOpenChange={(_, { open }) => { if (!open) onClose() }}>
      <DialogSurface className={styles.surface}>
        <DialogBody>
          <DialogTitle>{title}</DialogTitle>
          <DialogContent className={styles.content}>
            <p>{consequence}</p>
            {send.error !== null && <ErrorPanel error={send.error} doing={doing} />}
          </DialogContent>
          <DialogActions>
            <Button type="button" onClick={onClose}>Keep</Button>
            <Button type="button" appearance="primary" disabled={send.isPending} onClick={() => send.mutate(undefined, { onSuccess: onDone })}>{verb}</Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  )
}
