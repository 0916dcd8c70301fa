"""What a Space starts: on the Hub this file is ``app.py``, beside the packages it needs."""

from space.app import main

if __name__ == "__main__":
    main()
