import { Button, Menu, MenuDivider, MenuGroup, MenuGroupHeader, MenuItemRadio, MenuList, MenuPopover, MenuTrigger } from '@fluentui/react-components'
import { Person20Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { meQuery } from '@/lib/me'
import { useThemeChoice, type ThemeChoice } from '@/lib/theme'

/** Who is signed in, and the settings of this browser. */
export function PersonMenu() {
  const me = useQuery(meQuery)
  const [theme, setTheme] = useThemeChoice()
  return (
    <Menu checkedValues={{ theme: [theme] }} onCheckedValueChange={(_, { checkedItems }) => setTheme((checkedItems[0] ?? 'system') as ThemeChoice)}>
      <MenuTrigger disableButtonEnhancement>
        <Button appearance="subtle" icon={<Person20Regular />} aria-label={`${me.data?.displayName ?? 'You'}: settings of this browser`} />
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          <MenuGroup>
            <MenuGroupHeader>{me.data?.displayName ?? ''}</MenuGroupHeader>
          </MenuGroup>
          <MenuDivider />
          <MenuGroup>
            <MenuGroupHeader>Theme</MenuGroupHeader>
            <MenuItemRadio name="theme" value="system">As the system has it</MenuItemRadio>
            <MenuItemRadio name="theme" value="light">Light</MenuItemRadio>
            <MenuItemRadio name="theme" value="dark">Dark</MenuItemRadio>
          </MenuGroup>
        </MenuList>
      </MenuPopover>
    </Menu>
  )
}
