"""Run the command line."""

from scim_bridge.cli.main import main

if __name__ == "__main__":
    main(prog_name="scim-bridge")
