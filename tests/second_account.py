"""Add a second Klaviyo account to a client's repo, as a person does."""

from commands import DEFAULTS, commit, copier

UK_ANSWERS = ".copier-answers.klaviyo_uk.yml"
UK = ("-d", "account=uk", "--answers-file", UK_ANSWERS)
OF_UK = ("-d", "td_authentication_id=400000", "-d", "default_start_date=2024-01-01T00:00:00.000000")


def add(template, repo, *arguments):
    """Copy the template into a repo once more; gives how that ended."""
    return copier("copy", *DEFAULTS, *OF_UK, *arguments, template, ".", cwd=repo)


def add_uk(template, repo, *arguments):
    """Add the account uk, committed."""
    ended = add(template, repo, *UK, *arguments)
    assert ended.exit_code == 0, ended.output
    commit(repo)
    return repo
