# The shorter recipe, command for command. The Docker steps are replaced by a framework image.
. "$RECIPES/common.sh"
export AWS_ACCOUNT_ID=$(aws sts get-caller-identity --query Account --output text)

# Preparation
REGION=${AWS_REGION:-us-east-1}
ACCOUNT_ID=$AWS_ACCOUNT_ID
MODEL_NAME="sklearn-iris-classifier"
ENDPOINT_NAME="iris-prediction-endpoint"
ECR_REPOSITORY_NAME="sagemaker-sklearn-inference"

not_yet aws ecr create-repository \
	--repository-name $ECR_REPOSITORY_NAME \
	--image-scanning-configuration scanOnPush=true \
	--region $REGION

not_yet aws ecr get-login-password --region $REGION

BUCKET_NAME="sagemaker-models-$(aws secretsmanager \
	get-random-password --exclude-punctuation \
	--exclude-uppercase --password-length 8 \
	--query 'RandomPassword' --output text)"

aws s3 mb s3://$BUCKET_NAME --region $REGION

ROLE_NAME="SageMakerExecutionRole-$(date +%s)"
aws iam create-role \
	--role-name $ROLE_NAME \
	--assume-role-policy-document file://sagemaker-trust-policy.json

aws iam attach-role-policy \
	--role-name $ROLE_NAME \
	--policy-arn arn:aws:iam::aws:policy/AmazonSageMakerFullAccess

aws iam attach-role-policy \
	--role-name $ROLE_NAME \
	--policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess

ROLE_ARN=$(aws iam get-role --role-name $ROLE_NAME \
	--query 'Role.Arn' --output text)

# Steps 1 to 4
train
ECR_IMAGE_URI="$ACCOUNT_ID.dkr.ecr.$REGION.amazonaws.com/sagemaker-scikit-learn:$(sklearn_version)-1-cpu-py3"

cd model-training
tar -czf model.tar.gz model.pkl
aws s3 cp model.tar.gz s3://$BUCKET_NAME/model.tar.gz
cd ..
MODEL_DATA_URL="s3://$BUCKET_NAME/model.tar.gz"

# Steps 5 to 7
aws sagemaker create-model \
	--model-name $MODEL_NAME \
	--primary-container Image=$ECR_IMAGE_URI,ModelDataUrl=$MODEL_DATA_URL \
	--execution-role-arn $ROLE_ARN \
	--region $REGION

ENDPOINT_CONFIG_NAME="${MODEL_NAME}-config"

aws sagemaker create-endpoint-config \
	--endpoint-config-name $ENDPOINT_CONFIG_NAME \
	--production-variants \
	VariantName=primary,ModelName=$MODEL_NAME,InitialInstanceCount=1,InstanceType=ml.t2.medium,InitialVariantWeight=1.0 \
	--region $REGION

aws sagemaker create-endpoint \
	--endpoint-name $ENDPOINT_NAME \
	--endpoint-config-name $ENDPOINT_CONFIG_NAME \
	--region $REGION

aws sagemaker wait endpoint-in-service \
	--endpoint-name $ENDPOINT_NAME \
	--region $REGION

# Step 8
aws application-autoscaling register-scalable-target \
	--service-namespace sagemaker \
	--resource-id endpoint/$ENDPOINT_NAME/variant/primary \
	--scalable-dimension sagemaker:variant:DesiredInstanceCount \
	--min-capacity 1 \
	--max-capacity 5 \
	--region $REGION

aws application-autoscaling put-scaling-policy \
	--service-namespace sagemaker \
	--resource-id endpoint/$ENDPOINT_NAME/variant/primary \
	--scalable-dimension sagemaker:variant:DesiredInstanceCount \
	--policy-name iris-endpoint-scaling-policy \
	--policy-type TargetTrackingScaling \
	--target-tracking-scaling-policy-configuration \
	'{"TargetValue":70.0,"PredefinedMetricSpecification":{"PredefinedMetricType":"SageMakerVariantInvocationsPerInstance"}}' \
	--region $REGION

# Validation
aws sagemaker-runtime invoke-endpoint \
	--endpoint-name $ENDPOINT_NAME \
	--content-type application/json \
	--body fileb://test_payload.json \
	--region $REGION \
	prediction_output.json

aws sagemaker describe-endpoint \
	--endpoint-name $ENDPOINT_NAME \
	--query 'EndpointStatus' \
	--output text > status.txt

aws cloudwatch get-metric-statistics \
	--namespace AWS/SageMaker \
	--metric-name Invocations \
	--dimensions Name=EndpointName,Value=$ENDPOINT_NAME Name=VariantName,Value=primary \
	--start-time $(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%S) \
	--end-time $(date -u +%Y-%m-%dT%H:%M:%S) \
	--period 300 \
	--statistics Sum \
	--region $REGION

# Cleanup
aws sagemaker delete-endpoint \
	--endpoint-name $ENDPOINT_NAME \
	--region $REGION

aws sagemaker wait endpoint-deleted \
	--endpoint-name $ENDPOINT_NAME \
	--region $REGION

aws sagemaker delete-endpoint-config \
	--endpoint-config-name $ENDPOINT_CONFIG_NAME \
	--region $REGION

aws sagemaker delete-model \
	--model-name $MODEL_NAME \
	--region $REGION

aws application-autoscaling deregister-scalable-target \
	--service-namespace sagemaker \
	--resource-id endpoint/$ENDPOINT_NAME/variant/primary \
	--scalable-dimension sagemaker:variant:DesiredInstanceCount \
	--region $REGION

aws s3 rm s3://$BUCKET_NAME --recursive
aws s3 rb s3://$BUCKET_NAME

not_yet aws ecr delete-repository \
	--repository-name $ECR_REPOSITORY_NAME \
	--force \
	--region $REGION

aws iam detach-role-policy \
	--role-name $ROLE_NAME \
	--policy-arn arn:aws:iam::aws:policy/AmazonSageMakerFullAccess

aws iam detach-role-policy \
	--role-name $ROLE_NAME \
	--policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess

aws iam delete-role --role-name $ROLE_NAME
