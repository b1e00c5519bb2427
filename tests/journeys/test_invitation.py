"""An invitation from the admin's request to the invited person's first answer, with the process that sends mails."""

import shutil
from pathlib import Path

from pydantic import SecretStr

from scim_bridge.app import open_process
from scim_bridge.identity import invitation_answers, invitations, organizations
from scim_bridge.identity.invitations import InvitationWanted
from scim_bridge.identity.letters import Letters
from scim_bridge.settings import Settings
from tests.identity.people import HANDS
from tests.journeys.bridge import free_port, wait_until
from tests.mail.post_office import open_post_office, secret_in


def test_a_mail_goes_out_by_itself_when_the_server_is_back_and_its_link_opens_the_organization(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    port = free_port()
    copied = shutil.copy(migrated_sqlite, tmp_path / "bridge.sqlite3")
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(f"sqlite:///{copied}"),
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security="none",
    )
    process = open_process(settings)
    database = process.runtime.database
    organizations.create(database, HANDS, "acme")

    process.scheduler.start()
    try:
        wanted = InvitationWanted("bob@x.example", "viewer")
        made = invitations.invite(database, Letters.of(process.runtime), HANDS, "acme", wanted)

        def mail_state() -> tuple[str, int]:
            mail = invitations.show(database, "acme", made.id).mail
            assert mail is not None
            return mail.state, mail.attempts

        wait_until(lambda: mail_state() == ("queued", 1), "an attempt while the mail server is away")
        with open_post_office(port) as office:
            wait_until(lambda: mail_state()[0] == "sent", "the mail to go out")
            joined = invitation_answers.accept(database, secret_in(office.mails[0]), "Bob")
    finally:
        process.close()

    assert len(office.mails) == 1
    assert joined.organization == "acme"
