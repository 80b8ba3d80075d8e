"""Objects of Celery's that programs reach for and this engine has no parts for: views of what there is instead."""
