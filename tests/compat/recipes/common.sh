# What both recipes start from: only the endpoint, the keys and the region are set; nothing may fail unseen.
set -euo pipefail

aws configure set region "$AWS_REGION"   # recipe 003 asks `aws configure get region`, which reads the file only

# A step whose service Moorage does not have yet: it must be refused, and the refusal is kept for the test to read.
not_yet() {
    if "$@" > /dev/null 2> refusal.txt; then
        echo "works now, so run it as the recipe does: $*" >&2
        exit 1
    fi
    tr -d '\n' < refusal.txt >> refusals.txt
    echo >> refusals.txt
}

train() {
    mkdir -p model-training
    cat > model-training/train_model.py << 'PYTHON'
import pickle
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

iris = load_iris()
X_train, X_test, y_train, y_test = train_test_split(
    iris.data, iris.target, test_size=0.2, random_state=42
)
model = RandomForestClassifier(n_estimators=100, random_state=42)
model.fit(X_train, y_train)
with open('model.pkl', 'wb') as f:
    pickle.dump(model, f)
PYTHON
    cd model-training
    python train_model.py
    cd ..
}

# A pickle loads in the release of scikit-learn that wrote it, so the image has to be of that one: `1.9`.
sklearn_version() {
    python -c 'import sklearn; print(".".join(sklearn.__version__.split(".")[:2]))'
}

cat > sagemaker-trust-policy.json << 'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "sagemaker.amazonaws.com"
      },
      "Action": "sts:AssumeRole"
    }
  ]
}
JSON

cat > test_payload.json << 'JSON'
{
  "instances": [
    [5.1, 3.5, 1.4, 0.2],
    [6.7, 3.1, 4.4, 1.4],
    [6.3, 3.3, 6.0, 2.5]
  ]
}
JSON

cat > invalid_payload.json << 'JSON'
{
  "instances": [
    [1, 2, 3]
  ]
}
JSON
