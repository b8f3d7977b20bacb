# Ten simultaneous requests to a serial model of 250 ms, as in the gibbs
# documentation: 2.5 s with one worker, three waves of 0.25 s with four.
source "$(dirname "$0")/lib.sh"

for workers in 1 4; do
  port=$(free_port)
  printf 'version: headroom/v1\nreplicas: {min: %d, max: %d}\n' $workers $workers >"$work/policy.yaml"
  background scaler$workers headroom scaler --name gibbs$workers --policy "$work/policy.yaml" --listen 127.0.0.1:$port --api 127.0.0.1:0 \
    -- headroom target --service-time 250ms
  within 20 "$workers replicas ready" sh -c "headroom workers --name gibbs$workers | grep -c RUNNING | grep -qx $workers"
  took=$(python3 "$(dirname "$0")/ten.py" http://127.0.0.1:$port)
  echo "ten requests of 250 ms with $workers replica(s): $took s"
  if [ $workers = 1 ]; then holds "2.5 <= $took < 3.0"; else holds "0.75 <= $took < 1.1"; fi
done
