from celery import shared_task


@shared_task
def total(prices):
    return sum(prices)


@shared_task(bind=True, name="orders.ship", max_retries=0)
def ship(self, order):
    return f"{order} by {self.name}"
