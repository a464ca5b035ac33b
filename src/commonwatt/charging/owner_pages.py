"""All owner pages of charging: stations, sessions, tariffs in use, local tags, the first steps."""

from __future__ import annotations

from commonwatt.charging import guide_page, owed_page, session_pages, station_page, tag_pages, tariff_pages

ROUTES = [
    *station_page.ROUTES,
    *session_pages.ROUTES,
    *owed_page.ROUTES,
    *tariff_pages.ROUTES,
    *tag_pages.ROUTES,
    *guide_page.ROUTES,
]
