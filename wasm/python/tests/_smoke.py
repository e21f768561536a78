import sys,time; sys.path.insert(0, __import__('os').path.dirname(__file__)+'/../src')
from djedge import _abi,_module,_instance
t=time.time(); m=_module.load(); print('load',time.time()-t)
t=time.time(); i=_instance.Instance(m); print('inst',time.time()-t, i.size)
c=_abi.read_configured(i.configure(_abi.configure([("dialect","postgresql"),("key_session","sha256:"+"0"*64),("key_auth_hash","sha256:"+"1"*64)])))
print(c if isinstance(c,str) else (c.columns,c.headers))
for s in (c.statements if not isinstance(c,str) else []): print(s)
op=_abi.Operation(_abi.Op.CHECK,_abi.Request("GET","/","h","http",[(b"cookie",b"sessionid="+b"a"*32)]),"authenticated",hint=7)
f=i.begin(_abi.begin(10**15,b"",op)); print(f[0],_abi.read_effects(f,c.statements))
n=2000
t=time.process_time()
for _ in range(n):
    f=i.begin(_abi.begin(10**15,b"",op)); h,e=_abi.read_effects(f,c.statements)
    r=i.resume(h,_abi.resume(10**15,[_abi.answer_results([_abi.Rows(),_abi.Rows()])])); d=_abi.read_done(r)
print(d); print((time.process_time()-t)/n*1e6,'us')
