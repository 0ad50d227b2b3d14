import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Textarea } from '@fluentui/react-components'
import { useState } from 'react'
import { focusFirstProblem } from '@/lib/first-problem'
import { useFocusBack } from '@/lib/focus-back'

/** Approving asks for nothing; rejecting asks why. */
export function RejectDialog({ name, onReject, onClose }: { name: string; onReject: (reason: string) => void; onClose: () => void }) {
  useFocusBack()
  const [reason, setReason] = useState('')
  const [asked, setAsked] = useState(false)
  const missing = reason.trim() === ''
  return (
    <Dialog open onOpenChange={(_, { open }) => { if (!open) onClose() }}>
      <DialogSurface>
        <form noValidate onSubmit={(event) => {
          event.preventDefault()
          setAsked(true)
          if (!missing) onReject(reason.trim())
          focusFirstProblem(event.currentTarget)
        }}>
          <DialogBody>
            <DialogTitle>Reject the deployment to {name}</DialogTitle>
            <DialogContent style={{ paddingBottom: 16 }}>
              <Field label="Reason" required validationMessage={asked && missing ? 'Say why, so that whoever asked knows what to change.' : undefined}>
                <Textarea autoFocus value={reason} onChange={(_, data) => setReason(data.value)} />
              </Field>
            </DialogContent>
            <DialogActions>
              <Button type="button" onClick={onClose}>Keep waiting</Button>
              <Button type="submit" appearance="primary">Reject</Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  )
}
