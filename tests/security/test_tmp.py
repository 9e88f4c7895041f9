
from tests.security.test_markers import *
import time
@pytest.mark.timeout(400)
def test_tmp(scene, tmp_path):
    t=time.time()
    try:
        on_the_screen(scene)
    finally:
        print("SCREEN", time.time()-t)
        print(scene.given.get("the scrollback of the screen",b"").decode())
    t=time.time()
    scene.crash("status", "words", seen="assword", answer=scene.secrets["ssh-password"])
    print("CRASH", time.time()-t)
    scene.crash("--host", "words", seen="asks for a password", answer=scene.secrets["ssh-password"])
    print("CRASH", time.time()-t)
    for f in scene.home.glob("**/crash-*.log"): print(f.read_text()[-1500:])
    for k,v in scene.given.items():
        if "scrollback" in k: print(k, v.decode())
