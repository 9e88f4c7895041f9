from jupytui.tunnels.keeper.process import run

if __name__ == "__main__":
    run()
