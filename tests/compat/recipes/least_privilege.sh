# The longer recipe, command for command, with two arguments corrected that every aws CLI refuses before it sends
# anything: `s3 cp --server-side-encryption` is `--sse`, and the put-bucket-encryption shorthand wants `=` for `:`.
# The Docker steps are replaced by a framework image.
. "$RECIPES/common.sh"

# Preparation
export AWS_REGION=$(aws configure get region)
export AWS_ACCOUNT_ID=$(aws sts get-caller-identity \
    --query Account --output text)

RANDOM_SUFFIX=$(aws secretsmanager get-random-password \
    --exclude-punctuation --exclude-uppercase \
    --password-length 6 --require-each-included-type \
    --output text --query RandomPassword)

MODEL_NAME="sklearn-iris-classifier-${RANDOM_SUFFIX}"
ENDPOINT_NAME="iris-prediction-endpoint-${RANDOM_SUFFIX}"
ECR_REPOSITORY_NAME="sagemaker-sklearn-inference-${RANDOM_SUFFIX}"
BUCKET_NAME="sagemaker-models-${RANDOM_SUFFIX}"

not_yet aws ecr create-repository \
    --repository-name $ECR_REPOSITORY_NAME \
    --image-scanning-configuration scanOnPush=true \
    --region $AWS_REGION

not_yet aws ecr get-login-password --region $AWS_REGION

aws s3 mb s3://$BUCKET_NAME --region $AWS_REGION

aws s3api put-bucket-versioning \
    --bucket $BUCKET_NAME \
    --versioning-configuration Status=Enabled

aws s3api put-bucket-encryption \
    --bucket $BUCKET_NAME \
    --server-side-encryption-configuration \
    'Rules=[{ApplyServerSideEncryptionByDefault={SSEAlgorithm=AES256}}]'

ROLE_NAME="SageMakerExecutionRole-${RANDOM_SUFFIX}"
aws iam create-role \
    --role-name $ROLE_NAME \
    --assume-role-policy-document file://sagemaker-trust-policy.json

cat > sagemaker-execution-policy.json << 'JSON'
{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "s3:GetObject",
                "s3:ListBucket"
            ],
            "Resource": [
                "arn:aws:s3:::sagemaker-*/*",
                "arn:aws:s3:::sagemaker-*"
            ]
        },
        {
            "Effect": "Allow",
            "Action": [
                "ecr:GetAuthorizationToken",
                "ecr:BatchCheckLayerAvailability",
                "ecr:GetDownloadUrlForLayer",
                "ecr:BatchGetImage"
            ],
            "Resource": "*"
        },
        {
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents"
            ],
            "Resource": "arn:aws:logs:*:*:log-group:/aws/sagemaker/*"
        }
    ]
}
JSON

aws iam create-policy \
    --policy-name SageMakerExecutionPolicy-${RANDOM_SUFFIX} \
    --policy-document file://sagemaker-execution-policy.json

aws iam attach-role-policy \
    --role-name $ROLE_NAME \
    --policy-arn arn:aws:iam::$AWS_ACCOUNT_ID:policy/SageMakerExecutionPolicy-${RANDOM_SUFFIX}

ROLE_ARN=$(aws iam get-role --role-name $ROLE_NAME \
    --query 'Role.Arn' --output text)

# Steps 1 to 4
train
ECR_IMAGE_URI="$AWS_ACCOUNT_ID.dkr.ecr.$AWS_REGION.amazonaws.com/sagemaker-scikit-learn:$(sklearn_version)-1-cpu-py3"

cd model-training
tar -czf model.tar.gz model.pkl
aws s3 cp model.tar.gz s3://$BUCKET_NAME/models/v1/model.tar.gz \
    --sse AES256
cd ..
MODEL_DATA_URL="s3://$BUCKET_NAME/models/v1/model.tar.gz"

# Steps 5 to 7
aws sagemaker create-model \
    --model-name $MODEL_NAME \
    --primary-container Image=$ECR_IMAGE_URI,ModelDataUrl=$MODEL_DATA_URL \
    --execution-role-arn $ROLE_ARN \
    --tags Key=Environment,Value=Production \
          Key=Project,Value=IrisClassifier \
          Key=CostCenter,Value=MLOps \
    --region $AWS_REGION

ENDPOINT_CONFIG_NAME="${MODEL_NAME}-config"

aws sagemaker create-endpoint-config \
    --endpoint-config-name $ENDPOINT_CONFIG_NAME \
    --production-variants \
    VariantName=primary,ModelName=$MODEL_NAME,InitialInstanceCount=1,InstanceType=ml.m5.large,InitialVariantWeight=1.0 \
    --tags Key=Environment,Value=Production \
          Key=Project,Value=IrisClassifier \
    --region $AWS_REGION

aws sagemaker create-endpoint \
    --endpoint-name $ENDPOINT_NAME \
    --endpoint-config-name $ENDPOINT_CONFIG_NAME \
    --tags Key=Environment,Value=Production \
          Key=Project,Value=IrisClassifier \
    --region $AWS_REGION

aws sagemaker wait endpoint-in-service \
    --endpoint-name $ENDPOINT_NAME \
    --region $AWS_REGION

# Step 8
aws application-autoscaling register-scalable-target \
    --service-namespace sagemaker \
    --resource-id endpoint/$ENDPOINT_NAME/variant/primary \
    --scalable-dimension sagemaker:variant:DesiredInstanceCount \
    --min-capacity 1 \
    --max-capacity 5 \
    --region $AWS_REGION

aws application-autoscaling put-scaling-policy \
    --service-namespace sagemaker \
    --resource-id endpoint/$ENDPOINT_NAME/variant/primary \
    --scalable-dimension sagemaker:variant:DesiredInstanceCount \
    --policy-name iris-endpoint-scaling-policy \
    --policy-type TargetTrackingScaling \
    --target-tracking-scaling-policy-configuration \
    '{"TargetValue":70.0,"PredefinedMetricSpecification":{"PredefinedMetricType":"SageMakerVariantInvocationsPerInstance"}}' \
    --region $AWS_REGION

# Validation
aws sagemaker-runtime invoke-endpoint \
    --endpoint-name $ENDPOINT_NAME \
    --content-type application/json \
    --body fileb://test_payload.json \
    --region $AWS_REGION \
    prediction_output.json

aws sagemaker describe-endpoint \
    --endpoint-name $ENDPOINT_NAME \
    --query 'EndpointStatus' \
    --output text \
    --region $AWS_REGION > status.txt

START_TIME=$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%S)
END_TIME=$(date -u +%Y-%m-%dT%H:%M:%S)

aws cloudwatch get-metric-statistics \
    --namespace AWS/SageMaker \
    --metric-name Invocations \
    --dimensions Name=EndpointName,Value=$ENDPOINT_NAME \
                Name=VariantName,Value=primary \
    --start-time $START_TIME \
    --end-time $END_TIME \
    --period 300 \
    --statistics Sum \
    --region $AWS_REGION

aws sagemaker-runtime invoke-endpoint \
    --endpoint-name $ENDPOINT_NAME \
    --content-type application/json \
    --body fileb://invalid_payload.json \
    --region $AWS_REGION \
    error_output.json 2> model_error.txt || echo "Expected error occurred"

# Cleanup
aws sagemaker delete-endpoint \
    --endpoint-name $ENDPOINT_NAME \
    --region $AWS_REGION

aws sagemaker wait endpoint-deleted \
    --endpoint-name $ENDPOINT_NAME \
    --region $AWS_REGION

aws application-autoscaling deregister-scalable-target \
    --service-namespace sagemaker \
    --resource-id endpoint/$ENDPOINT_NAME/variant/primary \
    --scalable-dimension sagemaker:variant:DesiredInstanceCount \
    --region $AWS_REGION

aws sagemaker delete-endpoint-config \
    --endpoint-config-name $ENDPOINT_CONFIG_NAME \
    --region $AWS_REGION

aws sagemaker delete-model \
    --model-name $MODEL_NAME \
    --region $AWS_REGION

aws s3 rm s3://$BUCKET_NAME --recursive
# The bucket is versioned, so that `s3 rm` has left the old version and a delete marker in it: S3 refuses to remove the
# bucket, and so does Moorage.
aws s3 rb s3://$BUCKET_NAME 2> not_empty.txt && exit 1

not_yet aws ecr delete-repository \
    --repository-name $ECR_REPOSITORY_NAME \
    --force \
    --region $AWS_REGION

aws iam detach-role-policy \
    --role-name $ROLE_NAME \
    --policy-arn arn:aws:iam::$AWS_ACCOUNT_ID:policy/SageMakerExecutionPolicy-${RANDOM_SUFFIX}

aws iam delete-policy \
    --policy-arn arn:aws:iam::$AWS_ACCOUNT_ID:policy/SageMakerExecutionPolicy-${RANDOM_SUFFIX}

aws iam delete-role --role-name $ROLE_NAME
