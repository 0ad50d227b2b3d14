import { Button } from '@fluentui/react-components'
import { useTitle } from '@/lib/title'
import styles from './sign-in.module.css'

/** Shown to whoever has no session: how to get one. */
export function SignIn({ onRetry }: { onRetry: () => void }) {
  useTitle('Sign in')
  return (
    <main className={styles.page}>
      <img src="/favicon.svg" alt="" width={40} height={40} />
      <h1 className={styles.title}>Sign in to Slipway</h1>
      <p>Open the one-time sign-in link that Slipway printed when it started. It signs this browser in.</p>
      <p>The link was used already, or is gone from the terminal? Print a new one on the server:</p>
      <pre className={styles.command}>slipway signin</pre>
      <p>Somebody gave you a token? It makes such a link, too, on any machine that has slipway:</p>
      <pre className={styles.command}>{`SLIPWAY_TOKEN=TOKEN slipway signin --url ${window.location.origin}`}</pre>
      <Button onClick={onRetry}>I have signed in, try again</Button>
    </main>
  )
}
