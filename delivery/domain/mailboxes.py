"""Who keeps a recipient's mailbox: by the domain of the address, else by where its MX points."""

from __future__ import annotations

from collections.abc import Mapping

OTHER = "other"
LABELS = {
    "gmail": "Gmail",
    "microsoft": "Microsoft (Outlook, Hotmail)",
    "yahoo": "Yahoo and AOL",
    "icloud": "iCloud",
    "gmx": "GMX and web.de",
    "t-online": "Telekom (t-online)",
    "freenet": "freenet",
    "proton": "Proton",
    "fastmail": "Fastmail",
    "orange": "Orange",
    "laposte": "La Poste",
    "free": "Free (France)",
    "libero": "Libero",
    "comcast": "Comcast",
    "mailru": "Mail.ru",
    "yandex": "Yandex",
    "qq": "Tencent (QQ)",
    "netease": "NetEase (163)",
    "naver": "Naver",
    "zoho": "Zoho",
    "bt": "BT",
    "ionos": "IONOS",
    OTHER: "Others",
}
_DOMAINS = {
    "gmail": "gmail.com googlemail.com",
    "microsoft": (
        "outlook.com hotmail.com live.com msn.com passport.com windowslive.com outlook.de outlook.fr "
        "outlook.es outlook.it outlook.at outlook.be outlook.dk outlook.jp outlook.com.br outlook.com.au "
        "outlook.pt hotmail.co.uk hotmail.de hotmail.fr hotmail.es hotmail.it hotmail.be hotmail.nl "
        "hotmail.se hotmail.no hotmail.ch hotmail.com.br live.co.uk live.de live.fr live.it live.nl "
        "live.be live.se live.no live.dk live.com.au live.ca live.com.mx"
    ),
    "yahoo": (
        "yahoo.com ymail.com rocketmail.com myyahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.it yahoo.es "
        "yahoo.ca yahoo.com.br yahoo.com.au yahoo.com.mx yahoo.com.ar yahoo.co.in yahoo.in yahoo.ie "
        "yahoo.gr yahoo.se yahoo.no yahoo.dk yahoo.nl yahoo.at yahoo.be yahoo.co.nz yahoo.com.sg "
        "yahoo.com.hk yahoo.com.tw yahoo.com.ph yahoo.com.vn yahoo.co.id aol.com aol.co.uk aol.de aol.fr "
        "aim.com love.com games.com wow.com verizon.net"
    ),
    "icloud": "icloud.com me.com mac.com",
    "gmx": ("gmx.de gmx.net gmx.com gmx.at gmx.ch gmx.co.uk gmx.fr gmx.es gmx.info gmx.eu gmx.org web.de mail.com"),
    "t-online": "t-online.de magenta.de",
    "freenet": "freenet.de",
    "proton": "proton.me protonmail.com protonmail.ch pm.me",
    "fastmail": "fastmail.com fastmail.fm",
    "orange": "orange.fr wanadoo.fr",
    "laposte": "laposte.net",
    "free": "free.fr",
    "libero": "libero.it virgilio.it inwind.it iol.it blu.it giallo.it",
    "comcast": "comcast.net",
    "mailru": "mail.ru bk.ru inbox.ru list.ru internet.ru",
    "yandex": "yandex.ru yandex.com ya.ru",
    "qq": "qq.com foxmail.com",
    "netease": "163.com 126.com yeah.net",
    "naver": "naver.com",
    "zoho": "zoho.com zohomail.com zoho.eu",
    "bt": "btinternet.com btopenworld.com talk21.com",
    "ionos": "",
}
BY_DOMAIN: Mapping[str, str] = {
    domain: provider for provider, domains in _DOMAINS.items() for domain in domains.split()
}
# The end of the best MX's name → who it belongs to.
MX_ENDS: tuple[tuple[str, str], ...] = (
    ("google.com", "gmail"),
    ("googlemail.com", "gmail"),
    ("mail.protection.outlook.com", "microsoft"),
    ("mx.microsoft", "microsoft"),
    ("olc.protection.outlook.com", "microsoft"),
    ("yahoodns.net", "yahoo"),
    ("mail.icloud.com", "icloud"),
    ("gmx.net", "gmx"),
    ("kundenserver.de", "ionos"),
    ("ionos.com", "ionos"),
    ("ionos.co.uk", "ionos"),
    ("t-online.de", "t-online"),
    ("protonmail.ch", "proton"),
    ("messagingengine.com", "fastmail"),
    ("zoho.com", "zoho"),
    ("zoho.eu", "zoho"),
    ("yandex.net", "yandex"),
    ("mail.ru", "mailru"),
    ("qq.com", "qq"),
)


def domain_of(address: str) -> str:
    """The lower-case domain of an address, "" when it has none."""
    return address.strip().rpartition("@")[2].lower().rstrip(".") if "@" in address else ""


def by_domain(domain: str, looked_up: Mapping[str, str] | None = None) -> str:
    """The provider of a recipient domain: the table first, then what its MX said when it was looked up."""
    return BY_DOMAIN.get(domain) or (looked_up or {}).get(domain) or OTHER


def by_mx(hosts: list[str]) -> str:
    """The provider that the MX hosts (best first) belong to."""
    for host in hosts:
        name = host.lower().rstrip(".")
        for end, provider in MX_ENDS:
            if name == end or name.endswith(f".{end}"):
                return provider
    return OTHER
