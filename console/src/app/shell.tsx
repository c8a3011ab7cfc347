import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  NavLink,
  Text,
  Tooltip,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useRouter, useRouterState } from "@tanstack/react-router";
import { LogOut, Moon, Sun } from "lucide-react";
import { useEffect } from "react";
import { api } from "../api/client.ts";
import { ConnectionNotice } from "./connection-notice.tsx";
import { places } from "./navigation.ts";
import { preloadPages } from "./preload-pages.ts";
import { ProjectSwitch } from "./project-switch.tsx";

/** What stands around every page. */
export function Shell() {
  const [isOpen, { toggle, close }] = useDisclosure();
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(close, [path, close]);
  const router = useRouter();
  useEffect(() => preloadPages(router), [router]);
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 200, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label="Navigation"
              aria-expanded={isOpen}
            />
            <img src="/icon.svg" alt="" width={22} height={22} />
            <Text fw={700}>Isola</Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ProjectSwitch />
            <ThemeSwitch />
            <SignOut />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        {places.map(({ to, label, icon: Icon }) => (
          <NavLink
            key={to}
            component={Link}
            to={to}
            label={label}
            leftSection={<Icon size={18} aria-hidden />}
            active={path === to || (to !== "/" && path.startsWith(`${to}/`))}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main pb={72}>
        <Outlet />
        <ConnectionNotice />
      </AppShell.Main>
    </AppShell>
  );
}

function ThemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const isDark =
    colorScheme === "dark" ||
    (colorScheme === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  const label = isDark ? "Light theme" : "Dark theme";
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="default"
        aria-label={label}
        onClick={() => setColorScheme(isDark ? "light" : "dark")}
      >
        {isDark ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}

function SignOut() {
  const client = useQueryClient();
  const signOut = useMutation({
    mutationFn: () => api.closeSession(),
    // What the next person may not see goes with it.
    onSettled: () => {
      client.clear();
      window.location.reload();
    },
  });
  return (
    <Tooltip label="Sign out">
      <ActionIcon
        variant="default"
        aria-label="Sign out"
        loading={signOut.isPending}
        onClick={() => signOut.mutate()}
      >
        <LogOut size={16} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
