"""Identity policies: what they say, and what that comes to for one caller. Pure; knows no service and no store."""
